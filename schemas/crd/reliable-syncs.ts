import { AGE, type CrdVersion, defineCrd } from './definition.ts'
import { described, object, root, text } from './schema-parts.ts'

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
    spec: described(
      'Which object it is about. Its uid is in the name of this one.',
      object({
        objectAPIVersion: described('apiVersion of the object.', text),
        objectKind: described('Kind of the object.', text),
        objectName: described('Name of the object.', text),
      }),
    ),
    status: described(
      'How far the node is.',
      object({
        objectResourceVersion: described('The resourceVersion that the node last acknowledged.', text),
      }),
    ),
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
