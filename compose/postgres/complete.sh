#!/usr/bin/env bash
# The last step of the first start: see start.sh.
touch "$PGDATA/footfall-complete"
sync "$PGDATA"
