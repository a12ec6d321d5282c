from datetime import timedelta

from pydantic import BaseModel, ConfigDict


class Job(BaseModel):
    model_config = ConfigDict(ser_json_timedelta="iso8601")

    took: timedelta
