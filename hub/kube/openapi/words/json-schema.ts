import type { Words } from './words.ts'

const UNSUPPORTED = 'Not allowed in a CustomResourceDefinition'
const LIMITED =
  'Schemas in it say nothing of type, default or nullable, and only what stands in properties outside too.'

/** JSON Schema, as CustomResourceDefinitions may use it. */
export function jsonSchemaWords(): Words {
  return {
    V1JSONSchemaProps: {
      $ref: `A schema that stands elsewhere. ${UNSUPPORTED}.`,
      $schema: `The dialect that the schema is written in. ${UNSUPPORTED}.`,
      additionalItems: `What further items of a list look like. ${UNSUPPORTED}.`,
      additionalProperties: 'For a map: what each value looks like; true for anything. Not together with properties.',
      allOf: `The value has to fit all of these schemas. ${LIMITED}`,
      anyOf: `The value has to fit at least one of these schemas. ${LIMITED}`,
      definitions: `Schemas to refer to. ${UNSUPPORTED}.`,
      dependencies: `What has to be there beside a property. ${UNSUPPORTED}.`,
      description: 'What the value is for. kubectl explain prints it.',
      enum: 'The values that are allowed, of the type of the field.',
      exclusiveMaximum: 'Whether maximum itself is too large. Default: false.',
      exclusiveMinimum: 'Whether minimum itself is too small. Default: false.',
      externalDocs: 'Where more is said about the value.',
      id: `A name of the schema for others to refer to. ${UNSUPPORTED}.`,
      items: 'For a list: what each item looks like; one schema for all.',
      maxItems: 'How many items a list has at most.',
      maxLength: 'How many characters a string has at most.',
      maxProperties: 'How many entries an object has at most.',
      maximum: 'The largest number that is allowed; see exclusiveMaximum.',
      minItems: 'How many items a list has at least.',
      minLength: 'How many characters a string has at least.',
      minProperties: 'How many entries an object has at least.',
      minimum: 'The smallest number that is allowed; see exclusiveMinimum.',
      multipleOf: 'The number has to be a multiple of this one, which is above 0.',
      not: `The value must not fit this schema. ${LIMITED}`,
      nullable:
        'Whether null may stand for a value. Where it may not, null counts as absent if there is a default. Default: false.',
      oneOf: `The value has to fit exactly one of these schemas. ${LIMITED}`,
      pattern: 'A regular expression that a string has to match anywhere in it: use ^ and $ for the whole of it.',
      patternProperties: `What entries with names that match look like. ${UNSUPPORTED}.`,
      properties:
        'For an object: its fields, each with its schema. Other fields are dropped when an object is written.',
      required: 'The fields that have to be there, by name.',
      title: 'A short name of the value. Of no effect.',
      type: 'One of object, array, string, integer, number and boolean. Required, except in allOf, anyOf, oneOf and not, and where anything or a number or string may stand.',
      uniqueItems: 'Whether all items have to differ. Only false is allowed: use x-kubernetes-list-type set.',
    },
  }
}
