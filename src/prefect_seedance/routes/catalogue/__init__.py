"""The known routes, as data from the providers' documents."""
