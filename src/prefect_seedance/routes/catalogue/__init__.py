"""The known routes as data, taken from the providers' documents."""
