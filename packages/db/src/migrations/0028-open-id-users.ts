export const openIdUsers = `
-- A user signs in by a password, or is known to a provider of OpenID Connect by a subject.
ALTER TABLE console_users
  ALTER COLUMN password_hash DROP NOT NULL,
  ADD COLUMN oidc_issuer text,
  ADD COLUMN oidc_subject text,
  ADD CONSTRAINT console_users_sign_in CHECK (
    (oidc_issuer IS NULL) = (oidc_subject IS NULL) AND (password_hash IS NULL) = (oidc_issuer IS NOT NULL)),
  ADD CONSTRAINT console_users_oidc UNIQUE (oidc_issuer, oidc_subject);
`;
