export { ageOf, humanDuration } from './age.ts'
export { type JsonPath, parseJsonPath } from './json-path.ts'
export { podCells } from './pod-cells.ts'
export { type IncludeObject, type TableOptions, toTable } from './table.ts'
