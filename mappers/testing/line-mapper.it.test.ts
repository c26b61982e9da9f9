import { describeMapper } from './describe-mapper.ts'
import mapper from './mutants/line-mapper.ts'
import { lineSubject } from './mutants/line-subject.ts'

describeMapper(lineSubject(mapper, import.meta.resolve('./mutants/line-mapper.ts')))
