"""An issuer of OpenID Connect with keys of its own, on this machine: whom the mock's authentication speaks with."""
