export { definitionsOfCrd, storageVersionOf } from './definitions.ts'
export { conflictingStatus, establishedStatus, type NameConflict, nameConflict, prepareCrd } from './lifecycle.ts'
export { validateCrd } from './validate-crd.ts'
