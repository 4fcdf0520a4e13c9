print("an experiment")
