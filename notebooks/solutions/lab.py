# The best trial is one row of the table of trials; the rest are counts over its rows.
trials = hyperband.results.trials().set_index("trial")
AUTHOR = "Solutions"
answers = {
    "best_trial_epochs": int(trials.loc[hyperband.results.best.trial, "epochs"]),
    "total_epochs": int(trials["epochs"].sum()),
    "stopped": int((trials["status"] == "STOPPED").sum()),
    "conclusion": (
        "With another seed the split, the initial weights and the proposals change, and the order of the "
        "tuners may turn round. The difference is a tumour or two of 114, which is noise; several seeds and "
        "an interval are needed before one of them can be said to win."
    ),
}
