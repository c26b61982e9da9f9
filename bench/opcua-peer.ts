import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DataType, VariantArrayType } from 'node-opcua-client'
import { certificateIn } from '../mappers/simulators/opcua/certificate.ts'
import { startOpcuaServer } from '../mappers/simulators/opcua/opcua-server.ts'

/** An OPC UA server in a process of its own: so many variables (first argument), all changed every so many ms (second). */
const [variables = 1, everyMs = 1000] = process.argv.slice(2).map(Number)
const [host, applicationUri] = ['127.0.0.1', 'urn:bench']
const folder = mkdtempSync(join(tmpdir(), 'skerry-bench-'))
process.once('exit', () => rmSync(folder, { recursive: true }))
const identity = { applicationUri, name: 'bench', addresses: [host], notBefore: new Date() }
const certificate = await certificateIn(folder, identity)
const setters: ((value: number) => void)[] = []
const server = await startOpcuaServer({
  ...{ host, name: 'bench', applicationUri, certificate },
  build(space) {
    const namespace = space.registerNamespace('urn:bench:values')
    for (let index = 0; index < variables; index++) {
      const value = { dataType: DataType.Int32, arrayType: VariantArrayType.Scalar, value: 0 }
      const node = namespace.addVariable({
        ...{ organizedBy: space.rootFolder.objects, browseName: `v${index}`, nodeId: `s=v${index}` },
        ...{ dataType: DataType.Int32, value, minimumSamplingInterval: 0 },
      })
      setters.push((next) => node.setValueFromSource({ ...value, value: next }))
    }
  },
})
let turn = 0
setInterval(() => {
  turn++
  for (const set of setters) set(turn)
}, everyMs)
process.on('disconnect', () => process.exit(0))
process.send?.({ port: server.port, namespace: server.space.getNamespaceIndex('urn:bench:values') })
