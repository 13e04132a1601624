// A real OpenID Connect provider (the npm package `oidc-provider`) on a free port of this machine, for one test run.
// Say `node provider.mjs FOLDER`, where FOLDER holds `node_modules/oidc-provider`; it writes its address as one line.
// Whoever logs in is known by the name they give; what they may is in PEOPLE.

import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const { Provider } = await import(pathToFileURL(`${folder}/node_modules/oidc-provider/lib/index.js`).href);

const AUDIENCE = "https://nocturne.test";
const PEOPLE = { ana: ["noc-approver", "noc-operator"], bea: ["noc-viewer"] };
const MACHINES = { "probe-7": ["noc-feed"] };

const jwk = (type, options, kid) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }), kid, use: "sig",
});
const keys = [jwk("rsa", { modulusLength: 2048 }, "rsa-1"), jwk("ec", { namedCurve: "P-256" }, "ec-1")];

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    jwks: { keys },
    cookies: { keys: ["of one test run"] },
    clients: [
      {
        client_id: "nocturne-cli", application_type: "native", token_endpoint_auth_method: "none",
        redirect_uris: ["http://127.0.0.1/callback"], grant_types: ["authorization_code", "refresh_token"],
      },
      {
        client_id: "probe-7", client_secret: "of-one-test-run", grant_types: ["client_credentials"],
        redirect_uris: [], response_types: [],
      },
    ],
    pkce: { required: () => true },
    features: {
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource) => ({
          audience: resource, scope: "", accessTokenFormat: "jwt", accessTokenTTL: 300,
          jwt: { sign: { alg: process.argv[3] ?? "RS256" } },
        }),
      },
    },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: id }) }),
    extraTokenClaims: (_ctx, token) => ({
      preferred_username: token.accountId,
      realm_access: { roles: PEOPLE[token.accountId] ?? MACHINES[token.clientId] ?? [] },
    }),
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
