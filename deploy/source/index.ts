export { chart } from './chart.ts'
export { manifests } from './plain.ts'
