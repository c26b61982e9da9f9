export { environment, environmentWith, plainEnvironment } from './environment.ts'
