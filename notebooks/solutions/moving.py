longer = kerashpo.Hyperband(
    build_model,
    objective="val_accuracy",
    max_epochs=50,
    factor=3,
    directory="plan",
    project_name="only",
)
AUTHOR = "Solutions"
answers = {
    "epochs_saved": 922 - longer.plan().epochs,
    "curve_rows": len(new.results.curves()),
    "second_run_epochs": again.results.epochs - before,
}
