import { AGE, type CrdVersion, defineCrd } from './definition.ts'
import { object, root, text } from './schema-parts.ts'

const group = 'reliablesyncs.kubeedge.io'

const version: CrdVersion = {
  name: 'v1alpha1',
  storage: true,
  status: true,
  columns: [
    { name: 'Kind', type: 'string', jsonPath: '.spec.objectKind' },
    { name: 'Object', type: 'string', jsonPath: '.spec.objectName' },
    { name: 'Acknowledged', type: 'string', jsonPath: '.status.objectResourceVersion' },
    AGE,
  ],
  schema: root('The version of an object that a node has acknowledged. Its name is <node>.<uid of the object>.', {
    spec: object({ objectAPIVersion: text, objectKind: text, objectName: text }),
    status: object({ objectResourceVersion: text }),
  }),
}

export const objectSyncCrd = defineCrd(
  { group, scope: 'Namespaced', kind: 'ObjectSync', plural: 'objectsyncs', singular: 'objectsync' },
  [version],
)

export const clusterObjectSyncCrd = defineCrd(
  { group, scope: 'Cluster', kind: 'ClusterObjectSync', plural: 'clusterobjectsyncs', singular: 'clusterobjectsync' },
  [version],
)
