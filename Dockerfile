# The web application: docker build -t hf_rumor . && docker run -v "$PWD/out:/model:ro" -v desk:/data \
#     -p 127.0.0.1:7860:7860 -e HF_RUMOR_TOKEN=... hf_rumor
FROM python:3.11-slim

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 HF_HUB_OFFLINE=1
WORKDIR /src
COPY pyproject.toml setup.cfg setup.py constraints.txt README.md LICENSE ./
COPY hf_rumor hf_rumor
# torch for CPUs only: that of PyPI needs several GB of CUDA packages.
RUN pip install --no-deps --index-url https://download.pytorch.org/whl/cpu "$(grep ^torch== constraints.txt)" \
    && pip install -c constraints.txt ".[web]"

RUN useradd --create-home --uid 1000 desk && install -d -o desk /data
USER desk
WORKDIR /data
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
CMD ["hf-rumor", "serve", "/model", "--host", "0.0.0.0", "--queue", "/data/desk.sqlite"]
