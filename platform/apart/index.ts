export { type ApartOptions, runApart } from './run-apart.ts'
