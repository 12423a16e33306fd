mean, deviation = posterior(np.array([0.7]), seen, values)
AUTHOR = "Solutions"
answers = {
    "mean": float(mean[0]),
    "deviation": float(deviation[0]),
    "distance": abs(search.best.config["x"] - 0.7572),
}
