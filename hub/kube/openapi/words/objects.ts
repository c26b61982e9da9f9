import { LIST_METADATA, OBJECT_METADATA, type Words } from './words.ts'

/** What all kinds share: lists, deletions, answers that are no objects, and how many replicas there are. */
export function objectWords(): Words {
  return {
    V1DeleteOptions: {
      preconditions:
        'The uid and resourceVersion that the object must have. Where it has others, nothing is deleted and the answer is 409.',
    },
    V1ListMeta: {
      shardInfo: 'The shard that was asked for, where the list holds only a part of the objects for that reason.',
    },
    V1Scale: {
      metadata: OBJECT_METADATA,
      spec: 'How many replicas are wanted.',
      status: 'How many replicas there are, and by which labels their pods are found.',
    },
    V1Status: {
      details:
        'Which object the answer is about, single causes, and after how many seconds to try again, as far as is known.',
      metadata: LIST_METADATA,
    },
  }
}
