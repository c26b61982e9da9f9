export { ownWords } from './own-words.ts'
export { structureWords } from './structures.ts'
export { LIST_ITEMS, LIST_METADATA, OBJECT_METADATA } from './words.ts'
