// An issuer of OpenID Connect for tests: oidc-provider, with one client and one user who is logged in without a form. It listens
// on a free port of this machine, prints its URL, and ends with whoever started it.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const AUDIENCE = "https://api.app.example";
const [clientId, clientSecret] = process.argv.slice(2);

const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig", kid: "first" };

const user = { sub: "ada", name: "Ada Lovelace", email: "ada@app.example", email_verified: true };

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uris: ["https://app.example/callback"],
      post_logout_redirect_uris: ["https://app.example/"],
      grant_types: [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:device_code",
      ],
      response_types: ["code"],
      scope: "openid offline_access email profile read write",
    },
  ],
  scopes: ["openid", "offline_access", "email", "profile", "read", "write"],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  findAccount: (_, id) => ({ accountId: id, claims: () => user }),
  jwks: { keys: [key] },
  cookies: { keys: [randomBytes(16).toString("hex")] },
  rotateRefreshToken: true,
  ttl: {
    AccessToken: 3600,
    AuthorizationCode: 60,
    ClientCredentials: 3600,
    DeviceCode: 600,
    Grant: 86400,
    IdToken: 3600,
    Interaction: 600,
    RefreshToken: 86400,
    Session: 86400,
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    // A token of the application itself is a JWT for its API. Those of users stay opaque, so that they can be taken back.
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx) =>
        ctx.oidc.params.grant_type === "client_credentials" ? AUDIENCE : undefined,
      getResourceServerInfo: (_, audience) => ({
        audience,
        scope: "read write",
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
  interactions: { url: (_, interaction) => `/agree/${interaction.uid}` },
});

async function granted(scope) {
  const grant = new provider.Grant({ accountId: user.sub, clientId });
  grant.addOIDCScope(scope);
  return grant.save();
}

// Logs the user in, who agrees to everything.
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith("/agree/")) return next();
  const { params } = await provider.interactionDetails(ctx.req, ctx.res);
  const result = {
    login: { accountId: user.sub },
    consent: { grantId: await granted(params.scope) },
  };
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
});

// Connects a device whose code is in the URL.
provider.use(async (ctx, next) => {
  if (ctx.path !== "/device" || !ctx.query.user_code) return next();
  const code = await provider.DeviceCode.findByUserCode(ctx.query.user_code.replaceAll("-", ""));
  const scope = code.params.scope;
  Object.assign(code, {
    accountId: user.sub,
    authTime: Math.floor(Date.now() / 1000),
    grantId: await granted(scope),
    scope,
  });
  await code.save();
  ctx.body = "connected";
});

server.on("request", provider.callback());
process.stdin.on("end", () => process.exit(0)).resume();
console.log(issuer);
