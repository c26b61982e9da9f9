import { arrayAt, isJsonObject, nameOf, objectAt, textAt } from '../../kube/object/index.ts'
import { notFound, unavailable } from '../../kube/status.ts'
import { keyOf } from '../../serving/objects/registry.ts'
import type { Connect } from '../../streaming/index.ts'
import { serviceLocator } from '../admission/service-place.ts'
import { type PodPort, podConnection } from './pod-connection.ts'
import type { ApiStreamPorts } from './ports.ts'

const SERVICES = { group: '', plural: 'services' }

/** A connection to one of the pods behind a Service, by its number or name of a port. Throws a Status. */
export function serviceTarget(
  asked: PodPort,
  ports: ApiStreamPorts,
): { readonly host: string; readonly port: number; readonly connect: Connect } {
  const { namespace, name, scheme } = asked
  const service = ports.store.get('/services', keyOf(namespace, name))
  if (!service) throw notFound(SERVICES, name)
  const declared = arrayAt(objectAt(service, 'spec'), 'ports').filter(isJsonObject)
  const wanted = declared.find(
    (each) => asked.port === '' || textAt(each, 'name') === asked.port || String(each['port']) === asked.port,
  )
  const number = wanted?.['port']
  if (typeof number !== 'number')
    throw unavailable(`no service port ${JSON.stringify(asked.port)} found for service ${JSON.stringify(name)}`)
  const { host, port } = place(asked, number, ports)
  const pod = ports.store
    .list('/pods', `${namespace}/`)
    .find(([, each]) => textAt(objectAt(each, 'status'), 'podIP') === host)?.[1]
  if (!pod) throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`)
  return podConnection({ namespace, name: nameOf(pod), port: String(port), scheme }, ports)
}

function place({ namespace, name }: PodPort, port: number, { store, random }: ApiStreamPorts) {
  try {
    return serviceLocator(store, random)({ namespace, name, port })
  } catch (error) {
    throw unavailable(error instanceof Error ? error.message : String(error), error)
  }
}
