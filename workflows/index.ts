export { accessRequest } from './access-request.ts'
export { accessRequestExpiry } from './access-request-expiry.ts'
export { triggerTask } from './trigger-task.ts'
