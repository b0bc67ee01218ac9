"""The identity service of the city, an OpenID Connect provider."""
