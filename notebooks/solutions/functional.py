tried = searches["bayesian"].trials()
below = tried.loc[tried["score"] < 0.03, "trial"]
drawn = searches["random"].trials()["score"]
AUTHOR = "Solutions"
answers = {
    "rbf_trials": int((tried["param_kernel"] == "rbf").sum()),
    "trials_to_3_percent": int(below.min()) + 1 if len(below) else 0,
    "fraction_of_random": float((drawn > searches["bayesian"].best.score).mean()),
}
