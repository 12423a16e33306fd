"""Names of KerasTuner that tuners here do not support, and what to use instead."""

from __future__ import annotations

from kerashpo.core.errors import InvalidInput

PAGE = "docs/from-keras-tuner.md"

_SAVED = "every event is saved as it happens, and tuner.reload() reads them: leave it out"
_SEARCHED = "search does it; in run_trial, trial.hyperparameters takes new parameters"
_BUILT = "call self.hypermodel.build(hp), or override HyperModel.build"
_TRAINED = "override run_trial, or HyperModel.fit"

OF_TUNERS = {
    "_build_and_fit_model": _TRAINED,
    "_build_hypermodel": _BUILT,
    "_configure_tensorboard_dir": "TensorBoard writes each trial into a folder of its own",
    "_deepcopy_callbacks": "callbacks are copied for each trial",
    "_get_checkpoint_fname": "tuner.load_model(trial) reads a trial's weights",
    "_get_tuner_fname": _SAVED,
    "_override_compile_args": "the arguments optimizer, loss and metrics do it",
    "_populate_initial_space": "the space is discovered from build_model",
    "_run_and_update_trial": _TRAINED,
    "_try_build": _BUILT,
    "_try_run_and_update_trial": _TRAINED,
    "get_state": _SAVED,
    "save": _SAVED,
    "set_state": _SAVED,
}
OF_ORACLES = {
    "create_trial": _SEARCHED,
    "end_trial": _SEARCHED,
    "get_state": _SAVED,
    "populate_space": "the tuner's algorithm proposes the configurations",
    "reload": _SAVED,
    "save": _SAVED,
    "score_trial": "the score is the objective's best epoch, or as score=... of the tuner says",
    "set_state": _SAVED,
    "update_space": _SEARCHED,
}
_NEVER_CALLED = (
    "_build_and_fit_model",
    "_build_hypermodel",
    "_populate_initial_space",
    "_run_and_update_trial",
    "_try_build",
    "_try_run_and_update_trial",
)
"""Methods that change a search in KerasTuner when they are overridden."""


def missing(owner: str, name: str, instead: str | None) -> AttributeError:
    """Returns the error for an attribute that does not exist.

    Args:
        owner: the class whose attribute was requested.
        name: the attribute.
        instead: the replacement, for a name of KerasTuner; None for any other.
    """
    text = f"{owner!r} object has no attribute {name!r}"
    if instead is None:
        return AttributeError(text)
    return AttributeError(
        f"{text}, which is KerasTuner's: {instead}. See 'What cannot be kept' in {PAGE}."
    )


def refuse_overrides(cls: type, base: type) -> None:
    """Checks that a subclass does not override methods that kerashpo never calls.

    Raises:
        InvalidInput: with the method's name, and what to override instead.
    """
    for one in cls.__mro__[: cls.__mro__.index(base)]:
        for name in _NEVER_CALLED:
            if name in vars(one):
                raise InvalidInput(
                    f"{cls.__name__} overrides {name}, which KerasTuner calls and kerashpo does "
                    f"not: {OF_TUNERS[name]}. See 'What cannot be kept' in {PAGE}."
                )
