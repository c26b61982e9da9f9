import { Type } from 'typebox'
import { strict } from './fields.ts'

/** The database of the edge. */
export const StoreConfig = Type.Object(
  {
    durability: Type.Union([Type.Literal('full'), Type.Literal('normal')], {
      default: 'full',
      description:
        'What an acknowledged change survives. full: a power cut; each group of changes waits for the disk. normal: the death of the process, but the last seconds before a power cut may be lost; faster on slow disks and kinder to flash.',
    }),
    backup: Type.Object(
      {
        every: Type.String({
          default: '24h',
          pattern: '^\\d+(\\.\\d+)?(s|m|h|d)?$',
          description: 'Time between two backups of the database, such as 24h, 30m or 7d; 0: none.',
        }),
        keep: Type.Integer({
          default: 2,
          minimum: 1,
          maximum: 9,
          description: 'Backups that are kept. Each takes as much of the disk as the database.',
        }),
      },
      {
        ...strict,
        default: {},
        description:
          'Copies of the database beside it. A start that finds the database damaged goes back to the newest.',
      },
    ),
  },
  { ...strict, default: {}, description: 'The databases of this node, DIR/edge.db and DIR/mqtt.db.' },
)
