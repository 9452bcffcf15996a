# syntax=docker/dockerfile:1
# The demo in a container:
#
#   docker build --tag empathic-sdk .
#   docker run --publish 127.0.0.1:7860:7860 empathic-sdk
#
# Then open http://127.0.0.1:7860. Whoever reaches the port can talk with it: before you publish it
# to others, read "Putting it online" in docs/demo.md: TLS in front, --host-name, a login.

FROM python:3.12-slim AS build

# An image without voice and camera is smaller: --build-arg EXTRAS=demo
ARG EXTRAS=demo,face,speech

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/empathic
ENV PATH=/opt/empathic/bin:$PATH

WORKDIR /src
COPY . .
# Nobody installs anything later.
RUN pip install ".[$EXTRAS]" \
 && pip uninstall --yes pip


FROM python:3.12-slim

RUN useradd --create-home --uid 10001 empathic
COPY --from=build /opt/empathic /opt/empathic
ENV PATH=/opt/empathic/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HF_HUB_OFFLINE=1 \
    GRADIO_ANALYTICS_ENABLED=False

USER empathic
WORKDIR /home/empathic
EXPOSE 7860
# As process 1 it would not hear SIGTERM; an interrupt closes the page, the agent and the store.
STOPSIGNAL SIGINT
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --start-interval=2s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/healthz', timeout=8).close()"]
ENTRYPOINT ["empathic"]
CMD ["demo", "--host", "0.0.0.0", "--port", "7860"]
