# docker build -t ser . && mkdir -p runs && docker run --rm -v "$PWD/runs:/home/ser/runs" ser fit --config reccap --config demo
# Mount a corpus as a volume:      docker run --gpus all --shm-size 2g -v .../IEMOCAP_full_release:/corpus:ro ... --data.corpus.root /corpus
FROM python:3.11-slim

# Apptainer binds the home folder of its user, whose own packages stay out. torch asks for the user's name, which a
# number given by --user does not have.
ENV PYTHONNOUSERSITE=1 USER=ser
RUN useradd --create-home --uid 1000 ser
WORKDIR /opt/ser
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml setup.py README.md LICENSE ./
COPY ser ser
COPY conf conf
COPY sweeps sweeps
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

USER ser
WORKDIR /home/ser
RUN mkdir -p runs data .cache/ser
ENTRYPOINT ["ser"]
CMD ["--help"]
