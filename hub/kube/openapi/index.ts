export { type Documentation, type ModelText, parseModel } from './documentation.ts'
export { type DescribedVersion, describedVersions, openApiDocument, openApiIndex } from './openapi.ts'
export { openApi2Document } from './v2.ts'
export { openApi2Protobuf } from './v2-protobuf.ts'
