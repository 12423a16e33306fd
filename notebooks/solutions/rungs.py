plan = Hyperband(81).plan()
AUTHOR = "Solutions"
answers = {
    "first_bracket_81": plan.brackets[0][0].trials,
    "epochs_81": plan.epochs,
    "idle_hyperband": 1 - hyperband.trials()["seconds"].sum() / (8 * hyperband.seconds),
    "idle_asha": 1 - asha.trials()["seconds"].sum() / (8 * asha.seconds),
}
