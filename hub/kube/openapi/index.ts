export { openApiDocument, openApiIndex } from './openapi.ts'
