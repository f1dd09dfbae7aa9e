"""Whether W&B has the key that an online run needs."""

from __future__ import annotations

from ser.errors import InputError
from ser.training.tracking.wandb_run import service


def check_key() -> None:
    """Refuse an online run for which W&B would ask for a key at a prompt, or whose key cannot be one.

    W&B looks for itself: in the environment, in netrc under its server's name, in its settings, for an identity token.
    Where W&B is missing, nothing is refused: the run goes on without it.

    Raises:
        InputError: naming the remedy.
    """
    try:
        import wandb
        from wandb.sdk import wandb_setup
        from wandb.sdk.lib.wbauth import HostUrl, authenticate_session
    except ImportError:
        return
    try:
        settings = wandb_setup.singleton().settings
        host = HostUrl(settings.base_url, app_url=settings.app_url)
        found = authenticate_session(host=host, source="ser", prompt=False, update_session=False)
    except Exception as error:
        raise InputError(f"--wandb.mode online: W&B cannot read its key: {' '.join(str(error).split())}") from error
    finally:
        if service() is None:
            wandb.teardown()  # or later changes of the environment would be ignored, with a warning
    if not found:
        raise InputError(f"--wandb.mode online needs a key for {host}: run `wandb login` or set WANDB_API_KEY")
