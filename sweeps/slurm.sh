#!/bin/bash
#SBATCH --job-name=ser-joint
#SBATCH --array=1-8
#SBATCH --ntasks=1
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=4
#SBATCH --time=24:00:00
#SBATCH --signal=B:INT@120
#SBATCH --output=joint-%A-%a.log
#
# Eight jobs work on one study. A job runs trials until all are settled, and can start and end at any time.
#
#   SER_STORAGE=postgresql://user@host/ser SER_CORPUS=/data/IEMOCAP_full_release sbatch slurm.sh
#
# SER_STORAGE  a PostgreSQL database that every node can reach; put the password into ~/.pgpass, not here.
# SER_CORPUS   the corpus, under the same path on every node.
# SER_STUDY    the study's folder on a file system that all nodes share: a retried trial finds its finished folds there.
#
# The study is known by name, so this file may be copied anywhere; an installed package holds it as ser/sweeps/slurm.sh.
# SLURM interrupts a job two minutes before its time limit; the other jobs, or the same command later, continue.
set -euo pipefail

exec ser sweep --config joint \
  --storage "${SER_STORAGE:?the address of the storage, postgresql://user@host/ser}" \
  --out "${SER_STUDY:-studies/joint}" \
  --per-device "${SER_PER_DEVICE:-1}" \
  --data.corpus.root "${SER_CORPUS:?the folder of the corpus}"
