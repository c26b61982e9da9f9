import { testHistories } from './gate.ts'

testHistories(3)
