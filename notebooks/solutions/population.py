AUTHOR = "Solutions"
family, rates = population.lineage(), population.schedule()["value"]
answers = {
    "copies": family["parent"].notna().sum(),
    "ancestors": family["in_best"].sum() - 1,
    "fall": rates.iloc[0] / rates.iloc[-1],
    "epochs_20": 20 * 100,
}
