"""The file of `--submit`: what each job asks of SLURM."""

import pytest

from ser.errors import InputError
from ser.training.options.elsewhere import read_resources


def written(tmp_path, text):
    path = tmp_path / "slurm.yaml"
    path.write_text(text)
    return path


def test_every_key_reaches_sbatch(tmp_path):
    text = (
        "{time: 2d, partition: gpu, account: speech, constraint: a100|h100, gpus: 1, cpus: 4, memory: 16, parallel: 8}"
    )
    found = read_resources(written(tmp_path, text)).parameters()
    assert found == {
        "timeout_min": 2880,
        "cpus_per_task": 4,
        "gpus_per_node": 1,
        "mem_gb": 16,
        "slurm_partition": "gpu",
        "slurm_account": "speech",
        "slurm_constraint": "a100|h100",
        "slurm_array_parallelism": 8,
        "slurm_signal_delay_s": 120,
        "slurm_additional_parameters": {"requeue": True},
    }


@pytest.mark.parametrize(("time", "minutes"), [("5m", 5), ("10m", 10), ("90m", 90), ("12h", 720), ("1d", 1440)])
def test_times(tmp_path, time, minutes):
    assert read_resources(written(tmp_path, f"time: {time}")).parameters()["timeout_min"] == minutes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("partition: gpu", "time is missing: the longest time of a job, as 90m, 12h or 2d"),
        ("time: 12:00:00", "must be 90m, 12h or 2d for example"),
        ("time: 720", "time is 720, but must be 90m, 12h or 2d for example"),
        ("time: 0h", "must be 90m, 12h or 2d for example"),
        ("time: 4m", "time is 4m, but must be at least 5m: SLURM signals the job 2 minutes before its end"),
        ("{time: 1h, gpu: 1}", "gpu: no such key; did you mean gpus?"),
        ("{time: 1h, setup: [module load cuda]}", "setup: no such key"),
        ("{time: 1h, gpus: -1}", "gpus is -1, but must be at least 0"),
        ("{time: 1h, gpus: a100}", "gpus is 'a100', but must be a whole number"),
        ("{time: 1h, cpus: 0}", "cpus is 0, but must be at least 1"),
        ("{time: 1h, memory: 0}", "memory is 0, but must be at least 0.1"),
        ("{time: 1h, memory: true}", "memory is True, but must be a number"),
        ("{time: 1h, memory: 8GB}", "memory is '8GB', but must be a number"),
        ("{time: 1h, parallel: 0}", "parallel is 0, but must be at least 1"),
        ("{time: 1h, partition: gpu cpu}", "must be a name as SLURM has it, without spaces"),
        ("{time: 1h, partition: 'gpu --wrap=rm'}", "must be a name as SLURM has it, without spaces"),
        ('{time: 1h, account: "a\\n#SBATCH --wrap=rm"}', "must be a name as SLURM has it, without spaces"),
        ("{time: 1h, constraint: '$(rm)'}", "must be a name as SLURM has it, without spaces"),
        ("[1]", "not a mapping of keys to values"),
    ],
)
def test_refusals(tmp_path, text, words):
    path = written(tmp_path, text)
    with pytest.raises(InputError) as refused:
        read_resources(path)
    assert str(refused.value).startswith(f"{path}")
    assert words in str(refused.value)
