"""What every relying party of OpenID Connect does alike, whoever the issuer is."""
