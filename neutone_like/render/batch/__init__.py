"""Many files through one model: planned, spread over processes or a cluster, recorded, resumed."""

from neutone_like.render.batch.locations import PlanError as PlanError
from neutone_like.render.batch.locations import StoreError as StoreError
from neutone_like.render.batch.records import FileRecord as FileRecord
from neutone_like.render.batch.records import WrittenFile as WrittenFile
from neutone_like.render.batch.results import BatchResult as BatchResult
from neutone_like.render.batch.results import RenderInterrupted as RenderInterrupted
from neutone_like.render.batch.running import render_files as render_files
