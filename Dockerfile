# Two stages: the first has pip, the second only what runs.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY mockcic mockcic
# Compiled at build time: without .pyc files a start takes half a second longer.
RUN python -m venv /opt/mockcic \
 && /opt/mockcic/bin/pip install --no-cache-dir . \
 && /opt/mockcic/bin/python -m compileall -q /opt/mockcic/lib

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/mockcic --create-home mockcic
COPY --from=build /opt/mockcic /opt/mockcic
# The built-in scenario, to be covered by a volume with your own.
COPY mockcic/scenario/builtin/default.yaml mockcic/scenario/builtin/hello.mp3 /scenarios/
ENV PATH=/opt/mockcic/bin:$PATH MOCKCIC_HOME=/var/lib/mockcic PYTHONUNBUFFERED=1
USER mockcic
VOLUME ["/scenarios", "/var/lib/mockcic"]
EXPOSE 8443 8444
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["mockcic", "ping"]
ENTRYPOINT ["mockcic"]
# The control side asks for the token in MOCKCIC_CONTROL_TOKEN; without one it prints the one it made.
CMD ["serve", "--host", "0.0.0.0", "--control-host", "0.0.0.0", "/scenarios"]
