export const campaignSpeed = `
-- Compressing a chunk's ids took longer than all else about storing it, and saved no page: what is left fills as many.
ALTER TABLE campaign_chunks ALTER device_ids SET STORAGE EXTERNAL;

-- Freezing an audience asks first how many such tokens the app has: a few are compared at once, instead of a look per device.
CREATE INDEX shared_tokens_by_app ON shared_tokens (app_ref);
CREATE INDEX token_releases_by_app ON token_releases (app_ref);
`;
