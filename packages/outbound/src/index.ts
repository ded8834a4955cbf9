export { AddressRefused, type AddressRefusedReason } from './address-refused.ts';
export { parseCustomerUrl } from './customer-url.ts';
export { createGuardedAgent, type GuardedAgentOptions } from './guarded-agent.ts';
