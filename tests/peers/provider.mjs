// A provider of OpenID Connect whose people come from the environment: PORT, CLIENT (id, secret, redirect_uris), PEOPLE
// (claims by the name one signs in with). Its own development pages ask for that name. Says {"ready": true}.
import Provider from "oidc-provider";

const people = JSON.parse(process.env.PEOPLE);
const issuer = `http://127.0.0.1:${process.env.PORT}`;
const provider = new Provider(issuer, {
  clients: [JSON.parse(process.env.CLIENT)],
  claims: { openid: ["sub", "groups"], email: ["email", "email_verified"], profile: ["name"] },
  pkce: { required: () => true },
  findAccount: (_, id) => (people[id] ? { accountId: id, claims: () => ({ sub: id, ...people[id] }) } : undefined),
});
provider.listen(Number(process.env.PORT), "127.0.0.1", () => console.log(JSON.stringify({ ready: true })));
