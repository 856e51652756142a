# The one image of all services: `docker build -t footfall:local .`
# Plain enough for the frontend that Docker Engine 20.10 has built in; nothing in it is for one processor alone.

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ libssl-dev make pkg-config zlib1g-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# What the registry has given and what is compiled already stays between builds: a change of ours compiles ours alone.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package footfall --bin footfall --no-default-features --features kafka-tls \
 && strip --strip-debug -o /footfall target/release/footfall

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libssl3 zlib1g \
 && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* \
 && groupadd --gid 10001 footfall \
 && useradd --uid 10001 --gid footfall --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin footfall \
# volumes that are mounted here for the first time take over whose they are
 && install -d -o footfall -g footfall -m 0700 \
      /secrets/owner /secrets/projector /secrets/query-api /secrets/key
COPY --from=build /footfall /usr/local/bin/footfall

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Footfall" \
      org.opencontainers.image.description="Exact user-behaviour tracking: ingest, projector, query-api" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"

USER 10001:10001
ENV FOOTFALL_LISTEN=0.0.0.0:8080 \
    FOOTFALL_OPS_LISTEN=0.0.0.0:9090
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=10s --start-period=60s --retries=3 CMD ["footfall", "healthcheck"]
ENTRYPOINT ["footfall"]
CMD ["--help"]
