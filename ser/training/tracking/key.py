"""W&B's API key."""

from ser.errors import InputError
from ser.training.tracking.service import service


def check_key(who: str = "--wandb.mode online") -> None:
    """Refuse an online run if W&B's API key is missing or malformed.

    W&B itself looks for a key in the environment, in netrc under its server's name and in its settings, and for an
    identity token. Nothing is refused if W&B is not installed: the run continues without it.

    Args:
        who: what needs the key.

    Raises:
        InputError: with the remedy.
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
        raise InputError(f"{who}: W&B cannot read its key: {' '.join(str(error).split())}") from error
    finally:
        if service() is None:
            wandb.teardown()  # or later changes of the environment would be ignored, with a warning
    if not found:
        raise InputError(f"{who} needs a key for {host}: run `wandb login` or set WANDB_API_KEY")
