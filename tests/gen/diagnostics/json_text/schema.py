from pydantic import BaseModel, Json


class Job(BaseModel):
    steps: Json[list[int]]
