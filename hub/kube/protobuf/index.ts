export { decodeProtobuf, encodeProtobuf, ProtobufError } from './protobuf.ts'
