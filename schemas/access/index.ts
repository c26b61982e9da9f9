export * from './cloud-access.ts'
