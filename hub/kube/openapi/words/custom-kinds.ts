import type { Words } from './words.ts'

/** Definitions of custom kinds, without the schemas in them. */
export function customKindWords(): Words {
  return {
    V1CustomResourceDefinition: {
      metadata: 'The name has to be PLURAL.GROUP, such as devices.devices.kubeedge.io.',
      spec: 'Group, names, scope and versions of the kind.',
      status: 'Whether the kind is served, under which names, and in which versions objects of it were ever stored.',
    },
    V1CustomResourceDefinitionSpec: {
      conversion:
        'How objects of one version become those of another. Default: None, where nothing but apiVersion changes.',
      names: 'Plural, singular, short names and kind. No other kind of the group may have them.',
    },
    V1CustomResourceDefinitionStatus: {
      acceptedNames: 'The names that are in use. They may differ from those wanted while another kind has these.',
    },
    V1CustomResourceDefinitionVersion: {
      schema:
        'What the objects of this version look like: used to check them, fill in defaults and drop what is unknown. Required.',
      subresources:
        'Which parts of the objects can be read and written by themselves: status and scale. Default: none.',
    },
    V1CustomResourceSubresources: {
      scale:
        'Serves /scale, so that kubectl scale and autoscalers can change the number of replicas: in which fields it is.',
    },
    V1CustomResourceValidation: {
      openAPIV3Schema: 'The schema, in OpenAPI 3.0 with some limits: its top has to be an object.',
    },
    V1CustomResourceConversion: {
      webhook: 'How the webhook that converts is asked. Only with strategy Webhook, and required there.',
    },
    V1ExternalDocumentation: { description: 'What is to be found there.', url: 'Where more is said.' },
  }
}
