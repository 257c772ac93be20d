"""The shapes of requests and answers; validation and the OpenAPI document come from the same classes."""
