export { environment, plainEnvironment } from './environment.ts'
