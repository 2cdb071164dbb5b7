# syntax=docker/dockerfile:1.7
# One image for every process of Postcall: `docker build -t postcall .`
# How the base images are pinned is said in docs/deploy.md.
FROM rust:1.95.0-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1 AS build
WORKDIR /src
COPY . .
# The registry and the target directory stay with the builder: after a change only our own crates are built again.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --locked --release --bin postcall \
    && install -D --strip target/release/postcall /out/bin/postcall \
    && install -d /out/data

FROM debian:bookworm-20260421-slim
# The certificates of the build image: no package manager has to run in this one.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/bin/postcall /usr/local/bin/postcall
# Where `postcall serve` keeps its SQLite file; mount a volume here.
COPY --from=build --chown=65532:65532 /out/data /var/lib/postcall
WORKDIR /var/lib/postcall
USER 65532:65532
EXPOSE 8080 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["postcall", "ready"]
ENTRYPOINT ["postcall"]
CMD ["serve"]
