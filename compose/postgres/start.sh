#!/usr/bin/env bash
# Starts PostgreSQL as its image does, after a look at what is there. The image takes a folder with a file PG_VERSION for a
# cluster; a first start that was interrupted leaves such a folder too, and no later start would get past it. One that came
# to its end has left a mark (complete.sh).
set -euo pipefail

mark=$PGDATA/footfall-complete
if [[ ${1:-} == postgres && -d $PGDATA && -n $(ls -A "$PGDATA") && ! -e $mark ]]; then
  aside=$PGDATA.interrupted-$(date -u +%Y%m%dT%H%M%SZ)
  echo "The first start of this cluster never came to its end. It is put aside as $aside, and a new one is made." >&2
  echo "Should it be one of yours that was copied here: stop, put it back as $PGDATA, and make the file $mark." >&2
  mv "$PGDATA" "$aside"
fi

POSTGRES_PASSWORD=$(< /secrets/owner/password)
export POSTGRES_PASSWORD
exec docker-entrypoint.sh "$@"
